/** The arguments and the result of one command. Arguments that can be undefined may be omitted. */
export interface Command<Arguments, Result> {
  readonly arguments: Arguments
  readonly result: Result
}

/** `{}`: the result of a command without one, the data of an event without any. */
export type Empty = Readonly<Record<string, never>>

/** Members whose names depend on something else, such as the properties of a device. */
export type Options = Readonly<Record<string, unknown>>

/**
 * An integer of QEMU's with up to 64 bits. It is a bigint where a number could not hold it exactly, beyond ±(2⁵³ − 1),
 * and a number everywhere else.
 */
export type Integer = number | bigint

type Entry<Table, Name> = Name extends keyof Table ? Table[Name] : Command<object | undefined, unknown>

/**
 * The parameters after a command's name: its arguments, which some commands require and some lack, and
 * options.
 */
export type Rest<Table, Name, Options> =
  Entry<Table, Name> extends Command<infer Arguments, unknown>
    ? undefined extends Arguments
      ? [args?: Arguments, options?: Options]
      : [args: Arguments, options?: Options]
    : never

/** The result of a command, unknown for a command that is not in the table. */
export type ResultOf<Table, Name> = Entry<Table, Name> extends Command<unknown, infer Result> ? Result : never

/** A command's name. Editors offer the known ones; any other is accepted. */
export type NameIn<Table> = (keyof Table & string) | (string & {})
