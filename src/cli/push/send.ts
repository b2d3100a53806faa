// Prepared profiles → outcomes: one request for several, and again where that may help. What goes together is decided in run.ts.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { StartTimeSource } from "../../../gen/profusion/v1/profile_pb.ts";
import type {
  CreateProfileRequestSchema,
  CreateProfileResponse,
  ProfileService,
} from "../../../gen/profusion/v1/profile_service_pb.ts";
import { DomainError } from "../../model/errors.ts";
import { callFailure } from "../call-failure.ts";
import { timeNsOf, timestampOf } from "../timestamp.ts";
import type { Outcome } from "./outcome.ts";
import type { Patience } from "./patience.ts";
import type { PreparedProfile } from "./prepare.ts";

/** One profile is either too large or came when too much was under way: the code does not tell which. */
const EXHAUSTED_ATTEMPTS = 3;
/** A request that takes longer is given up and sent again: a minute, and what its bytes take at 50 KB/s. */
const REQUEST_MS = 60_000;
const BYTES_PER_MS = 50;

const TRANSIENT = new Set([Code.Unavailable, Code.Aborted, Code.DeadlineExceeded]);
/** Of the server as a whole, or of whom it lets in: no other request would fare better. */
const STOPPING = new Set([Code.Unauthenticated, Code.PermissionDenied, Code.Unimplemented, Code.Unknown]);

/** A connection that was there. */
const BROKEN_OFF = new Set(["ECONNRESET", "EPIPE"]);

export interface SenderOptions {
  /** As connection.ts has it: it throws DomainErrors. */
  client: Client<typeof ProfileService>;
  server: string;
  patience: Patience;
  signal: AbortSignal;
}

type Answer = CreateProfileResponse | ConnectError;

export class Sender {
  readonly #options: SenderOptions;
  #stop: DomainError | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Why nothing more can be sent. */
  get stop(): DomainError | undefined {
    return this.#stop;
  }

  /** One outcome for each, in the same order; `unsent` from when the sender has stopped. */
  async send(profiles: readonly PreparedProfile[], attempt = 0): Promise<Outcome[]> {
    let answers: Answer[];
    try {
      answers = await this.#call(profiles);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return await this.#afterFailure(profiles, error, attempt);
    }
    if (answers.some((answer) => !(answer instanceof ConnectError))) this.#options.patience.succeeded();
    const outcomes = answers.map((answer, at) => this.#outcomeOf(answer, profiles[at]!));
    const again = outcomes.flatMap(({ state }, at) => (state === "unsent" ? [at] : []));
    if (again.length === 0) return outcomes;
    const failure = this.#inWords(answers[again[0]!] as ConnectError);
    const later = await this.#later(
      again.map((at) => profiles[at]!),
      failure,
      attempt,
    );
    for (const [nth, at] of again.entries()) outcomes[at] = later[nth]!;
    return outcomes;
  }

  /** Throws where the request failed as a whole. */
  async #call(profiles: readonly PreparedProfile[]): Promise<Answer[]> {
    const { client, signal } = this.#options;
    const requests = profiles.map((profile) => this.#request(profile));
    const bytes = profiles.reduce((sum, profile) => sum + profile.bytes.length, 0);
    const options = { signal, timeoutMs: REQUEST_MS + Math.ceil(bytes / BYTES_PER_MS) };
    if (requests.length === 1) return [await client.createProfile(requests[0]!, options)];
    const { results } = await client.batchCreateProfiles({ requests }, options);
    return results.map(({ outcome }) => {
      if (outcome.case === "created") return outcome.value;
      return new ConnectError(outcome.value?.message ?? "nothing is said of it", outcome.value?.code);
    });
  }

  #request(profile: PreparedProfile): MessageInitShape<typeof CreateProfileRequestSchema> {
    const { named, bytes, requestId, saidTime } = profile;
    const { service, type: profileType, labels } = named;
    const metadata = {
      service,
      profileType,
      labels: [...labels],
      ...(saidTime && { startTime: timestampOf(saidTime.timeNs), startTimeFirst: saidTime.first }),
      ...(requestId !== undefined && { requestId }),
    };
    return { metadata, profileBytes: bytes };
  }

  /** `failure` is of the request as a whole. */
  async #afterFailure(profiles: readonly PreparedProfile[], failure: DomainError, attempt: number): Promise<Outcome[]> {
    const { patience, signal } = this.#options;
    if (signal.aborted) return this.#stopped(profiles, failure);
    const { code, networkCode } = codesOf(failure);
    if (networkCode === undefined || BROKEN_OFF.has(networkCode)) patience.reached();
    if (networkCode !== undefined || TRANSIENT.has(code)) return await this.#later(profiles, failure, attempt);
    if (STOPPING.has(code)) return this.#stopped(profiles, failure);
    if (profiles.length > 1) return await this.#oneByOne(profiles);
    if (code === Code.ResourceExhausted && attempt < EXHAUSTED_ATTEMPTS) {
      if (await patience.mayRetry(attempt, signal)) return await this.send(profiles, attempt + 1);
    }
    return [{ state: "refused", failure }];
  }

  /** So that one which is not taken harms none of the others. */
  async #oneByOne(profiles: readonly PreparedProfile[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const profile of profiles) outcomes.push(...(await this.send([profile])));
    return outcomes;
  }

  async #later(profiles: readonly PreparedProfile[], failure: DomainError, attempt: number): Promise<Outcome[]> {
    const { patience, signal } = this.#options;
    if (await patience.mayRetry(attempt, signal)) return await this.send(profiles, attempt + 1);
    return this.#stopped(profiles, failure);
  }

  #stopped(profiles: readonly PreparedProfile[], failure: DomainError): Outcome[] {
    this.#stop ??= failure;
    return profiles.map(() => ({ state: "unsent" }));
  }

  #outcomeOf(answer: Answer, { named, warnings: own }: PreparedProfile): Outcome {
    if (answer instanceof ConnectError) {
      return TRANSIENT.has(answer.code) ? { state: "unsent" } : { state: "refused", failure: this.#inWords(answer) };
    }
    const { profile, alreadyExisted, warnings } = answer;
    return {
      state: "stored",
      id: profile!.id,
      alreadyExisted,
      warnings: [...own, ...warnings],
      named,
      startTimeNs: timeNsOf(profile!.startTime!),
      hasReceiptTime: profile!.startTimeSource === StartTimeSource.RECEIPT,
    };
  }

  #inWords(failure: ConnectError): DomainError {
    return callFailure(failure, this.#options.server) as DomainError;
  }
}

/** Node's code where the way to the server failed, and not the server. */
function codesOf({ cause: failure }: DomainError): { code: Code; networkCode?: string } {
  if (!(failure instanceof ConnectError)) return { code: Code.Unknown };
  const { code, cause } = failure;
  const isNetwork = cause instanceof Error && "code" in cause && typeof cause.code === "string";
  return isNetwork ? { code, networkCode: cause.code as string } : { code };
}
