// Server reflection, v1 and v1alpha, from the generated descriptors: what lets `buf curl` and `grpcurl` call without the .proto files.

import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import type { ServerReflection, ServerReflectionRequest } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import type {
  ServerReflection as ServerReflectionAlpha,
  ServerReflectionRequest as ServerReflectionRequestAlpha,
} from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";

/** Both versions have the same messages, under other names. */
type Question = (ServerReflectionRequest | ServerReflectionRequestAlpha)["messageRequest"];

/** `services`: what is served, and so what is told. */
export function reflectionServices(services: readonly DescService[]): {
  v1: ServiceImpl<typeof ServerReflection>;
  v1alpha: ServiceImpl<typeof ServerReflectionAlpha>;
} {
  const answer = reflector(services);
  return {
    v1: {
      async *serverReflectionInfo(requests) {
        for await (const originalRequest of requests) {
          yield {
            originalRequest,
            validHost: originalRequest.host,
            messageResponse: answer(originalRequest.messageRequest),
          };
        }
      },
    },
    v1alpha: {
      async *serverReflectionInfo(requests) {
        for await (const originalRequest of requests) {
          yield {
            originalRequest,
            validHost: originalRequest.host,
            messageResponse: answer(originalRequest.messageRequest),
          };
        }
      },
    },
  };
}

function reflector(services: readonly DescService[]) {
  const filesByName = new Map<string, DescFile>();
  const filesBySymbol = new Map<string, DescFile>();
  for (const { file } of services) addFile(file, filesByName);
  for (const file of filesByName.values()) {
    for (const symbol of symbolsOf(file.proto)) filesBySymbol.set(symbol, file);
  }
  const fileAnswer = (file: DescFile | undefined, asked: string) =>
    file === undefined
      ? notFound(asked)
      : { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto: withImports(file).map(serialize) } };

  return (question: Question) => {
    switch (question.case) {
      case "listServices":
        return {
          case: "listServicesResponse" as const,
          value: { service: services.map(({ typeName }) => ({ name: typeName })) },
        };
      case "fileByFilename":
        return fileAnswer(filesByName.get(question.value), question.value);
      case "fileContainingSymbol":
        return fileAnswer(filesBySymbol.get(question.value), question.value);
      case "allExtensionNumbersOfType":
        if (!filesBySymbol.has(question.value)) return notFound(question.value);
        return {
          case: "allExtensionNumbersResponse" as const,
          value: { baseTypeName: question.value, extensionNumber: [] },
        };
      case "fileContainingExtension":
        return notFound(`extension ${question.value.extensionNumber} of ${question.value.containingType}`);
      case undefined:
        return errorAnswer(Code.InvalidArgument, "Cannot answer an empty request");
    }
  };
}

function notFound(asked: string) {
  return errorAnswer(Code.NotFound, `There is no ${asked}`);
}

function errorAnswer(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse" as const, value: { errorCode, errorMessage } };
}

/** Imports before what imports them. */
function addFile(file: DescFile, filesByName: Map<string, DescFile>): void {
  if (filesByName.has(file.proto.name)) return;
  for (const imported of file.dependencies) addFile(imported, filesByName);
  filesByName.set(file.proto.name, file);
}

/** The file itself first, and every file before what it imports. */
function withImports(file: DescFile): DescFile[] {
  const found = new Map<string, DescFile>();
  addFile(file, found);
  return [...found.values()].reverse();
}

function serialize(file: DescFile): Uint8Array<ArrayBuffer> {
  return toBinary(FileDescriptorProtoSchema, file.proto);
}

type MessageProto = FileDescriptorProto["messageType"][number];
type EnumProto = FileDescriptorProto["enumType"][number];

/** Full names of all that a file declares. An enum's values are siblings of the enum, as in C++. */
function* symbolsOf(file: FileDescriptorProto): Generator<string> {
  const scope = file.package === "" ? "" : `${file.package}.`;
  for (const message of file.messageType) yield* messageSymbols(message, scope);
  for (const enumeration of file.enumType) yield* enumSymbols(enumeration, scope);
  for (const service of file.service) {
    yield scope + service.name;
    for (const method of service.method) yield `${scope}${service.name}.${method.name}`;
  }
}

function* messageSymbols(message: MessageProto, scope: string): Generator<string> {
  const name = scope + message.name;
  yield name;
  for (const { name: member } of [...message.field, ...message.oneofDecl]) yield `${name}.${member}`;
  for (const nested of message.nestedType) yield* messageSymbols(nested, `${name}.`);
  for (const enumeration of message.enumType) yield* enumSymbols(enumeration, `${name}.`);
}

function* enumSymbols(enumeration: EnumProto, scope: string): Generator<string> {
  yield scope + enumeration.name;
  for (const { name } of enumeration.value) yield scope + name;
}
