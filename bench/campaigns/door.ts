import { type ListenOptions, Server } from "node:net";

/**
 * Loaded before a node's own code (`node --import`): at SIGUSR2 its server lets go of its port and of all connections, at the next one
 * it listens again. The process lives on, as one does whose port a firewall shuts.
 */
const listen = Server.prototype.listen;
let closed: (() => void) | undefined;

Server.prototype.listen = function (
  this: Server & { closeAllConnections?: () => void },
  ...args: [ListenOptions]
) {
  process.removeAllListeners("SIGUSR2").on("SIGUSR2", () => {
    if (closed === undefined) {
      closed = () => listen.apply(this, args);
      this.close();
      this.closeAllConnections?.();
    } else {
      closed();
      closed = undefined;
    }
  });
  return listen.apply(this, args);
} as typeof listen;
