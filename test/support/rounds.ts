/**
 * Whether tests that repeat one proof in several places run a choice of them: in CI, where `XCLUSTER_TEST_ALL=1` asks for
 * all of them (CONTRIBUTING.md).
 */
export const isShort = Boolean(process.env.CI) && process.env.XCLUSTER_TEST_ALL !== '1'

/** All of them, or in CI those that stand for all. */
export const chosen = <T>(all: readonly T[], choice: readonly T[]): readonly T[] => (isShort ? choice : all)
