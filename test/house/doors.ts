import { importsOf, withoutComments } from './floors.ts'
import type { SourceFile } from './project.ts'

/** Something outside the process, and the only files that may use it. */
interface Door {
  readonly what: string
  readonly uses: (file: SourceFile) => boolean
  readonly allowed: (path: string) => boolean
  /** How many other files may use it. */
  readonly spare: number
}

const uses = (pattern: RegExp) => (file: SourceFile) => pattern.test(withoutComments(file.text))
const inFolder =
  (...starts: string[]) =>
  (path: string) =>
    starts.some(start => path.startsWith(start))

/** The modules that run as processes of their own: they have an argv, signals and an exit status. */
const mains = ['src/owner/main.ts', 'src/owner/run.ts']

const doors: readonly Door[] = [
  {
    what: 'starts programs (node:child_process)',
    uses: ({ text }) => importsOf(text).some(({ specifier }) => /^(node:)?child_process$/.test(specifier)),
    allowed: () => false,
    spare: 3,
  },
  { what: 'reads the environment', uses: uses(/\bprocess\.env\b/), allowed: inFolder('src/cli/'), spare: 1 },
  {
    what: 'loads native code',
    uses: uses(/\bprocess\.dlopen\b|\bcreateRequire\b|\.node['"`]/),
    allowed: inFolder('src/sys/binding.ts', 'src/sys/artefacts.ts', 'src/sys/package-root.ts'),
    spare: 0,
  },
  {
    what: 'belongs in a process of its own (process.exit, argv, stdout, stderr; console)',
    uses: uses(
      /\bprocess\.(exit\b|exitCode|argv|stdout|stderr|stdin)|\bconsole\.(log|error|warn|info|debug|table|dir|trace)\b/,
    ),
    allowed: inFolder('src/cli/', 'src/testing/say.ts', 'src/testing/runner.ts', ...mains),
    spare: 0,
  },
  {
    what: 'prints what a guest may have said without making it safe for a terminal (see src/cli/output.ts)',
    uses: uses(/\bstd(out|err)\.write\b/),
    allowed: inFolder('src/cli/output.ts', 'src/cli/terminal.ts', 'src/testing/say.ts'),
    spare: 0,
  },
  {
    what: 'waits without the clock it was given, or sleeps (a timer of its own; see src/base/work/retry.ts)',
    uses: uses(/\bset(Timeout|Interval)\b|\btimers\/promises\b/),
    allowed: inFolder('src/base/clock.ts'),
    spare: 0,
  },
  {
    what: 'may not return on special file systems (mkdir with `recursive`; see src/sys/files/directory.ts)',
    uses: uses(/\bmkdir(Sync)?\((?:[^()]|\([^()]*\))*\brecursive\b/),
    allowed: () => false,
    spare: 0,
  },
  {
    what: 'outlives a closed cluster (a listener on the process)',
    uses: uses(/\bprocess\.on\(/),
    allowed: inFolder('src/cli/', ...mains),
    spare: 0,
  },
]

/** Violations, as sentences: files that use something outside the process without being allowed to. */
export function doorViolations(files: readonly SourceFile[]): string[] {
  return doors.flatMap(({ what, uses, allowed, spare }) => {
    const users = files.filter(file => uses(file) && !allowed(file.path)).map(({ path }) => path)
    return users.length > spare ? [`${what}, allowed in ${spare} more file(s): ${users.join(', ')}`] : []
  })
}
