import type { ProgressEvent, Status } from '../../api/index.ts'
import type { OwnerClient } from '../../client/index.ts'
import type { SettingOptions, Settings } from '../../plan/index.ts'

/** A hook module: what `xcluster.config.ts`, or the module that XCLUSTER_HOOK names, exports by default. */
export interface HookConfig {
  /** New commands, by name: letters, digits, `-` and `_`. A name that `xc` has is refused: see `replace`. */
  readonly commands?: Readonly<Record<string, HookCommand>>
  /** Commands of `xc` that are replaced, by name. A function keeps the summary and options of the original. */
  readonly replace?: Readonly<Record<string, HookReplacement | HookAction>>
  /**
   * Called before each start, when the settings are known and nothing has been started. It may return settings to
   * change. What it throws cancels the start.
   */
  readonly prepare?: (start: HookStart) => HookResult<SettingOptions | undefined>
  /** Called for each event of a start, and with the status of the cluster when it is ready. */
  readonly onEvent?: (event: HookEvent) => unknown
}

/** Its return value is the exit status of `xc`; nothing is 0, or that of the last command that it ran. */
export type HookAction = (xc: HookContext) => HookResult<number | undefined>

// biome-ignore lint/suspicious/noConfusingVoidType: a function without `return` is meant
export type HookResult<T> = T | void | Promise<T | void>

export interface HookReplacement {
  readonly summary?: string
  /** Options that it has besides those of the original: `{ '--peers <n>': 'number of peers' }`. */
  readonly options?: Readonly<Record<string, string>>
  readonly run: HookAction
}

export interface HookCommand extends HookReplacement {
  /** One line for the help, in lower case and without a full stop. */
  readonly summary: string
  /** The command of `xc` whose arguments and options it has too: `start`. `original` then runs that one. */
  readonly like?: string
  /** Its arguments as commander spells them: `<node> [words...]`. Not with `like`. */
  readonly arguments?: string
}

/** What a start is about to do. */
export interface HookStart {
  readonly settings: Settings
  /** Only the plan will be printed. */
  readonly dryRun: boolean
}

export type HookEvent =
  | ProgressEvent
  | { readonly type: 'cluster'; readonly state: 'ready'; readonly status: Status }

/** What a command of a hook gets. */
export interface HookContext {
  /** The words after the command, without the values of its own `options`. `original` takes these. */
  readonly argv: readonly string[]
  /** The arguments among them. */
  readonly args: readonly string[]
  /** The values of its own `options`, by name in camel case. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  /** The environment. `run` and `original` see changes to it. */
  readonly env: Record<string, string | undefined>
  /**
   * Runs a command of `xc` as `xc` has it, without the hook. Resolves with its exit status; what goes wrong is thrown:
   * leave it to `xc` to report.
   */
  run(command: string, argv?: readonly string[]): Promise<number>
  /** Runs the command that this one replaces or is `like`, with these words: `argv` unless given. */
  original(argv?: readonly string[]): Promise<number>
  /** A client of a running cluster; without a name, of the one that `--name` or XCLUSTER_NAME selects. */
  cluster(name?: string): OwnerClient
}
