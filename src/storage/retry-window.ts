// How long an upload is known as the retry of an earlier one. Every catalog goes by it.

import { NS_PER_SECOND } from "../model/time.ts";

/** By its request id: a day of receipts. */
export const REQUEST_LIFE_NS = 86_400n * NS_PER_SECOND;
/** By its bytes and series, where the profile took the time of its receipt: ten minutes of receipts, before and after. */
export const RECEIPT_WINDOW_NS = 600n * NS_PER_SECOND;
