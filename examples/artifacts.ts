/**
 * What a run leaves for people to look at: a text, a table, a link, an image, and a progress that moves.
 *
 * `SLUICE_API_URL=http://127.0.0.1:4200/api node examples/artifacts.ts`, then the page of the run.
 */
import { artifacts, flow, task } from "sluice";

const CHART =
  "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' width='90' height='30'><rect width='60' height='30' fill='teal'/></svg>";

const measure = task({ name: "measure" }, async (cities: readonly string[]) => {
  const progress = await artifacts.progress({ key: "measured", description: "Cities measured", progress: 0 });
  const rows: { city: string; degrees: number }[] = [];
  for (const city of cities) {
    rows.push({ city, degrees: city.length * 3 });
    await progress.update((rows.length / cities.length) * 100);
  }
  await artifacts.table({ key: "degrees", description: "Degrees by city", rows });
  return rows;
});

export const weather = flow(
  { name: "weather" },
  async ({ cities = ["Oslo", "Lisbon"] }: { readonly cities?: string[] }) => {
    const rows = await measure(cities);
    const warmest = rows.reduce((a, b) => (b.degrees > a.degrees ? b : a));
    await artifacts.markdown({ key: "summary", markdown: `# Weather\n\nIt is warmest in **${warmest.city}**.` });
    await artifacts.link({ key: "source", link: "https://example.com/weather", text: "Where it comes from" });
    await artifacts.image({ key: "chart", imageUrl: CHART, description: "Two thirds" });
    return warmest.city;
  },
);

if (import.meta.main) console.log(await weather());
