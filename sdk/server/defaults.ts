/** What holds when nothing else is said; by itself, so that help texts need not load the server. */

export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 4200;
/** In the current folder. */
export const DEFAULT_DATA_DIR = ".sluice";
