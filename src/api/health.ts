// grpc.health.v1: whether the server as a whole, and each service of the contract, can be used.

import { setTimeout } from "node:timers/promises";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { type Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/grpc/health/v1/health_pb.ts";
import type { Limits } from "../model/limits.ts";
import type { Repository } from "../repository/repository.ts";

/** A watcher learns of a change within this time. */
const WATCH_INTERVAL_MS = 1_000;
/** It is told again what it knows so many times before the server would cut a stream for its silence. */
const REMINDERS = 3;

/**
 * `services`: full names; the empty name, the server as a whole, is always known. All share the repository's state.
 * Watching ends when `stopping` aborts.
 */
export function healthService(
  repository: Repository,
  services: readonly string[],
  { requestTimeoutMs }: Pick<Limits, "requestTimeoutMs">,
  stopping: AbortSignal = new AbortController().signal,
): ServiceImpl<typeof Health> {
  const known = new Set(["", ...services]);
  const remindMs = requestTimeoutMs / REMINDERS;
  const current = () => (repository.ready().ready ? Status.SERVING : Status.NOT_SERVING);
  return {
    check({ service }) {
      if (!known.has(service)) throw new ConnectError(`There is no service "${service}"`, Code.NotFound);
      return { status: current() };
    },

    list() {
      return { statuses: Object.fromEntries([...known].map((service) => [service, { status: current() }])) };
    },

    async *watch({ service }, { signal }) {
      const state = () => (known.has(service) ? current() : Status.SERVICE_UNKNOWN);
      let told = state();
      let toldMs = performance.now();
      yield { status: told };
      const ended = AbortSignal.any([signal, stopping]);
      while (!ended.aborted) {
        // Unreferenced: a watcher does not keep a stopping process alive.
        await setTimeout(Math.min(WATCH_INTERVAL_MS, remindMs), undefined, { signal: ended, ref: false }).catch(
          () => {},
        );
        if (ended.aborted || (state() === told && performance.now() - toldMs < remindMs)) continue;
        told = state();
        toldMs = performance.now();
        yield { status: told };
      }
    },
  };
}
