import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// `pool: 'forks'`: QEMU's death signal follows the thread that started it, so no VM may start from a worker.
const suite = (name: string, timeoutSeconds: number, options: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    testTimeout: timeoutSeconds * 1000,
    hookTimeout: timeoutSeconds * 1000,
    retry: process.env.CI ? 1 : 0, // on a machine that others use too; the summary names what passed only then
    ...options,
  },
})

/** File by file, after what has a lower number: these measure times and count what is left on the machine. */
const alone = (order: number) => ({ fileParallelism: false, sequence: { groupOrder: order } })

const usualWorkers = process.env.CI ? Math.min(2, availableParallelism()) : 1

/**
 * As many files at a time as XCLUSTER_TEST_WORKERS says, two in CI, one otherwise. Each counts the processes, descriptors
 * and files that are its own (test/support/census.ts).
 */
const together = (order: number) => ({
  maxWorkers: Number(process.env.XCLUSTER_TEST_WORKERS ?? usualWorkers),
  sequence: { groupOrder: order },
})

/** Files of the suite qemu that name namespaces of the host: all processes of the machine see their mounts. */
const named = ['cli/namespaces', 'cli/original-words', 'cli/dns-route'].map(
  name => `test/qemu/${name}.test.ts`,
)

export default defineConfig({
  test: {
    globalSetup: ['test/support/temporary.ts'],
    projects: [
      suite('unit', 20),
      suite('house', 180),
      suite('kernel', 60, alone(1)),
      suite('qemu', 180, { ...together(2), exclude: named }),
      suite('named', 180, { ...alone(3), include: named }),
      suite('package', 300, alone(4)),
      suite('ground', 1200, alone(5)),
    ],
  },
})
