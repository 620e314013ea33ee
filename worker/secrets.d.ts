/** What is configured outside wrangler.toml; merged into the interface that `wrangler types` makes. */
interface __BaseEnv_Env {
  /** The key that every request carries; required unless the server is embedded on loopback. */
  SLUICE_ROOT_KEY?: string;
  /** Master keys for secrets of blocks: 32 bytes in base64 each, separated by commas, the one that writes first. */
  SLUICE_ENCRYPTION_KEYS?: string;
  /** Made by the embedded server at each start; opens the internal migration route. */
  SLUICE_BOOT_TOKEN?: string;
}
