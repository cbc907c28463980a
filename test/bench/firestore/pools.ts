const POOL = { min: 0, max: 64 };

/** Of local mode: in the cloud they are smaller by default, and the shapes would measure how long tasks wait for room. */
export const POOLS = { core: POOL, specialist: POOL, assessment: POOL };
