// Read a feed by podcast-partytime: node feed.mjs < feed.xml prints what it understood of it.
import { readFileSync } from "node:fs";
import partytime from "podcast-partytime";

const feed = partytime.parseFeed(readFileSync(0, "utf8"));
if (!feed) {
  console.error("this is no feed");
  process.exit(1);
}
console.log(JSON.stringify(feed));
