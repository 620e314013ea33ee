/**
 * A task whose result is kept, and an argument that makes no difference to it: the second question is answered from the
 * cache although it is asked in another mood.
 *
 * `node examples/cached-task.ts`
 */
import { flow, INPUTS, logger, task } from "sluice";

const lookUp = task(
  { name: "look-up", cache: { policy: INPUTS.minus("mood"), expires: "10m" } },
  async (word: string, mood: string) => {
    logger().info(`Looking up ${word}, ${mood}.`);
    return { word, length: word.length, asked: mood };
  },
);

export const dictionary = flow({ name: "dictionary" }, async ({ words }: { readonly words: readonly string[] }) => {
  const first = await lookUp.map(words, "patiently").results();
  const again = await lookUp.map(words, "in a hurry").results();
  return { first, again };
});

if (import.meta.main) console.log(await dictionary({ words: ["edge", "sluice"] }));
