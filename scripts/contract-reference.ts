// docs/contract.md out of the .proto files and their comments: `npm run docs:contract` writes it, test/contract-reference.test.ts says when
// it is stale.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FileDescriptorProto,
  FileDescriptorSetSchema,
  type MethodDescriptorProto,
  MethodOptions_IdempotencyLevel,
  type ServiceDescriptorProto,
} from "@bufbuild/protobuf/wkt";

export const CONTRACT_PAGE = new URL("../docs/contract.md", import.meta.url);
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PACKAGE = ".profusion.v1.";

/** Numbers of fields in descriptor.proto, of which the paths of comments are made. */
const PATH = { fileMessage: 4, fileEnum: 5, fileService: 6, field: 2, nestedMessage: 3, value: 2, method: 2 } as const;

/** By the path of what it stands before, as text. */
type Comments = ReadonlyMap<string, string>;

export function contractReference(): string {
  const buf = fileURLToPath(new URL("../node_modules/.bin/buf", import.meta.url));
  const image = execFileSync(buf, ["build", "proto", "-o", "-#format=binpb"], { cwd: ROOT, maxBuffer: 1 << 26 });
  const files = fromBinary(FileDescriptorSetSchema, image).file.filter(({ package: name }) => name === "profusion.v1");
  const described = files.map((file) => ({ file, comments: commentsOf(file) }));
  const services = described.flatMap(({ file, comments }) =>
    file.service.flatMap((service, at) => serviceLines(service, comments, `${PATH.fileService} ${at}`)),
  );
  const messages = described.flatMap(({ file, comments }) =>
    file.messageType.flatMap((message, at) =>
      messageLines(message, message.name, comments, `${PATH.fileMessage} ${at}`),
    ),
  );
  const enums = described.flatMap(({ file, comments }) =>
    file.enumType.flatMap((each, at) => enumLines(each, comments, `${PATH.fileEnum} ${at}`)),
  );
  return `${[HEAD, ...services, "# Messages", ...messages, "# Enumerations", ...enums].join("\n\n")}\n`;
}

const HEAD = `# The contract

\`profusion.v1\`, as [proto/profusion/v1](../proto/profusion/v1) says it; this page is made from there. All services answer gRPC, gRPC-Web and
Connect on the server's one port, and JSON: \`POST /profusion.v1.SERVICE/METHOD\` with \`content-type: application/json\`. Methods marked *read*
change nothing, and answer Connect's \`GET\` too.`;

function commentsOf({ sourceCodeInfo }: FileDescriptorProto): Comments {
  const located = sourceCodeInfo?.location ?? [];
  return new Map(located.map(({ path, leadingComments }) => [path.join(" "), prose(leadingComments)]));
}

/** One line: what is wrapped in a .proto file is not in a table. */
function prose(comment: string): string {
  return comment
    .trim()
    .split(/\s*\n\s*/)
    .join(" ")
    .replaceAll("|", "\\|");
}

function serviceLines({ name, method }: ServiceDescriptorProto, comments: Comments, path: string): string[] {
  const rows = method.map((each, at) => methodRow(each, comments.get(`${path} ${PATH.method} ${at}`) ?? ""));
  return [
    `# ${name}`,
    comments.get(path) ?? "",
    ["| method | asks | answers | what it does |", "|---|---|---|---|", ...rows].join("\n"),
  ];
}

function methodRow(method: MethodDescriptorProto, comment: string): string {
  const read = method.options?.idempotencyLevel === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS ? " *read*" : "";
  const side = (type: string, isStream: boolean) => `${isStream ? "stream of " : ""}${linked(type)}`;
  const asks = side(method.inputType, method.clientStreaming);
  return `| \`${method.name}\`${read} | ${asks} | ${side(method.outputType, method.serverStreaming)} | ${comment} |`;
}

function messageLines(message: DescriptorProto, name: string, comments: Comments, path: string): string[] {
  const nested = message.nestedType
    .map((each, at) => ({ each, at }))
    .filter(({ each }) => !each.options?.mapEntry)
    .flatMap(({ each, at }) =>
      messageLines(each, `${name}.${each.name}`, comments, `${path} ${PATH.nestedMessage} ${at}`),
    );
  const rows = message.field.map(
    (field, at) =>
      `| \`${field.name}\` | ${fieldType(field, message)} | ${comments.get(`${path} ${PATH.field} ${at}`) ?? ""} |`,
  );
  const table = rows.length > 0 ? [["| field | type | |", "|---|---|---|", ...rows].join("\n")] : ["It has no fields."];
  return [`## ${name}`, comments.get(path) ?? "", ...table, ...nested];
}

function fieldType(field: FieldDescriptorProto, message: DescriptorProto): string {
  const isRepeated = field.label === FieldDescriptorProto_Label.REPEATED ? "repeated " : "";
  const isOptional = field.proto3Optional ? "optional " : "";
  const choice = field.oneofIndex !== undefined && !field.proto3Optional && message.oneofDecl[field.oneofIndex];
  const of = choice ? `, one of *${choice.name}*` : "";
  const plain = FieldDescriptorProto_Type[field.type].toLowerCase();
  return `${isRepeated}${isOptional}${field.typeName === "" ? plain : linked(field.typeName)}${of}`;
}

function enumLines({ name, value }: EnumDescriptorProto, comments: Comments, path: string): string[] {
  const rows = value.map((each, at) => `| \`${each.name}\` | ${comments.get(`${path} ${PATH.value} ${at}`) ?? ""} |`);
  return [`## ${name}`, comments.get(path) ?? "", ["| value | |", "|---|---|", ...rows].join("\n")];
}

/** Names of the contract lead to their place on the page, as GitHub names headings. */
function linked(type: string): string {
  if (!type.startsWith(PACKAGE)) return `\`${type.slice(1)}\``;
  const name = type.slice(PACKAGE.length);
  return `[${name}](#${name.toLowerCase().replaceAll(".", "")})`;
}

if (import.meta.main) writeFileSync(CONTRACT_PAGE, contractReference());
