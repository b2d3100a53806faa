// Merges every CPU profile of the service "demo" and says what is in the sum: npx node examples/merge.ts
import { writeFileSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { QueryService } from "../gen/profusion/v1/query_service_pb.ts";

const transport = createConnectTransport({ baseUrl: "http://127.0.0.1:10100", httpVersion: "1.1" });
const selection = { selector: 'cpu{service="demo"}', interval: { startTime: { seconds: 0n } } };
const { summary, profileBytes } = await createClient(QueryService, transport).mergeProfiles({ selection });
console.log(
  `${summary?.merged} profiles`,
  summary?.sampleTypes.map(({ type, unit, total }) => `${type} ${total} ${unit}`),
);
writeFileSync("merged-by-script.pb.gz", profileBytes);
