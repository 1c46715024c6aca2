// Upload one file by tus-js-client: node upload.mjs '{"endpoint", "file", "token", …}' prints the upload's address.
import fs from "node:fs";
import { PassThrough } from "node:stream";
import { FileUrlStorage, Upload } from "tus-js-client";

const { endpoint, file, token, chunkSize, urls, whileCreating, deferred, dieAt } = JSON.parse(process.argv[2]);

const again = urls && { urlStorage: new FileUrlStorage(urls), fingerprint: async () => file };
// A stream that is no file's has no length to be known.
const source = deferred ? fs.createReadStream(file).pipe(new PassThrough()) : fs.createReadStream(file);
const upload = new Upload(source, {
  endpoint,
  chunkSize: chunkSize ?? Number.POSITIVE_INFINITY,
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: "talk.mp4", filetype: "video/mp4" },
  retryDelays: [0, 100, 200, 400, 800, 1600, 3200],
  uploadDataDuringCreation: whileCreating ?? false,
  uploadLengthDeferred: deferred ?? false,
  ...again,
  onProgress: (sent) => {
    if (dieAt && sent >= dieAt) process.kill(process.pid, "SIGKILL");
  },
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => console.log(upload.url),
});
const [previous] = urls ? await upload.findPreviousUploads() : [];
if (previous) upload.resumeFromPreviousUpload(previous);
upload.start();
