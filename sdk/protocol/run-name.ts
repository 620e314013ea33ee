/** Names for runs that nobody named: two words that can be said aloud. */

const ADJECTIVES =
  "amber ample brisk calm candid clear coral crisp deft eager early fair fleet fond frank fresh gentle glad golden grand hardy honest humble ivory jolly keen kind light lively lucid lunar mellow merry mild misty modest neat nimble noble olive patient placid plucky polite proud quick quiet rapid ready robust rosy rustic sandy serene silent silver simple sleek smart snug solar solid steady still subtle sunny swift tidy tranquil trim vivid warm wise witty young".split(
    " ",
  );
const NOUNS =
  "acorn alder anchor aspen badger barley basin beacon beaver birch brook canal canyon cedar cherry cliff clover comet condor cove crane creek curlew dale delta dolphin dune eagle egret elm ember falcon fern finch fjord forest fox garnet glacier glen grove gull harbor hare hazel heron hill ibis iris island ivy jay kestrel lagoon lake lark linden lynx maple marsh meadow mesa mill moor moss newt oak orchid osprey otter owl pebble petrel pine plover pond poplar prairie quail raven reef ridge river robin salmon sparrow spruce stork stream summit swan teal thistle tide trout valley walnut weir willow wren".split(
    " ",
  );

/** For example "gentle-weir", from two random numbers of at least 16 bits. Not unique. */
export function runName(first: number, second: number): string {
  return `${ADJECTIVES[first % ADJECTIVES.length]}-${NOUNS[second % NOUNS.length]}`;
}
