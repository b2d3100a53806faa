// Thread entry: the writing connection, and nothing beside it.

import { parentPort, workerData } from "node:worker_threads";
import type { WriterData } from "./catalog-threads.ts";
import { answerWriterRequests } from "./writer-requests.ts";

answerWriterRequests(parentPort!, workerData as WriterData);
