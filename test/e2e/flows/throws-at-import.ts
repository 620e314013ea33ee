/** A module that cannot be loaded. */
throw new Error("the configuration is missing");
