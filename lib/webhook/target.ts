import { isIP } from "node:net";
import { messageOf } from "../errors.js";
import { isPublic } from "./address.js";
import { webhookKeys } from "./signature.js";

/** Where webhooks go, as settings say it. */
export interface WebhookTarget {
  readonly url: string;
  /** See `webhookKeys`. */
  readonly secrets: string;
  /** Also to addresses that are not of the public Internet, and without TLS. */
  readonly allowInternal: boolean;
}

/** The host of a URL; of an IPv6 address without its brackets. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

/** Whether a URL names an internal address outright; what a name resolves to is looked at when it is connected to. */
export const namesInternal = (url: URL): boolean => isIP(hostOf(url)) !== 0 && !isPublic(hostOf(url));

/** What is wrong with a target, without its values: a URL may have a secret in it. */
export function problemsOf({ url, secrets, allowInternal }: WebhookTarget): {
  readonly url?: string | undefined;
  readonly secrets?: string | undefined;
} {
  return { url: problemOfUrl(url, allowInternal), secrets: problemOfSecrets(secrets) };
}

function problemOfUrl(text: string, allowInternal: boolean): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    return "is no URL of https";
  }
  if (url.username !== "" || url.password !== "") {
    return "takes no user and password: a webhook is signed";
  }
  if (!allowInternal && url.protocol !== "https:") {
    return "is not https";
  }
  return !allowInternal && namesInternal(url) ? "names an internal address" : undefined;
}

function problemOfSecrets(secrets: string): string | undefined {
  try {
    return webhookKeys(secrets).length === 0 ? "is missing" : undefined;
  } catch (error) {
    return messageOf(error);
  }
}
