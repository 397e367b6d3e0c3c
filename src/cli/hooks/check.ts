import { badShape } from './errors.ts'
import type { HookConfig } from './types.ts'

type Fields = Readonly<Record<string, unknown>>

const configKeys = ['commands', 'replace', 'prepare', 'onEvent']
const replacementKeys = ['summary', 'options', 'run']
const commandKeys = [...replacementKeys, 'like', 'arguments']

/** The default export of a hook module, if it is a valid one. Throws HOOK_SHAPE. Names are checked against `xc` later. */
export function checkConfig(file: string, loaded: object): HookConfig {
  const refuse = (reason: string): never => {
    throw badShape(file, reason)
  }
  const config = (loaded as { default?: unknown }).default
  if (!isFields(config)) return refuse('its default export is not an object')
  only(config, configKeys, { at: 'its default export', refuse })
  for (const key of ['prepare', 'onEvent'])
    if (!['undefined', 'function'].includes(typeof config[key])) refuse(`${key} is not a function`)
  for (const [key, keys] of [['commands', commandKeys] as const, ['replace', replacementKeys] as const]) {
    const table = config[key] ?? {}
    if (!isFields(table)) return refuse(`${key} is not an object`)
    for (const [name, command] of Object.entries(table)) {
      const at = `${key}.${name}`
      if (!/^[a-zA-Z]\w*(-\w+)*$/.test(name)) refuse(`${at}: a command's name has letters, digits, - and _`)
      if (key === 'replace' && typeof command === 'function') continue
      if (!isFields(command)) return refuse(`${at} is not an object`)
      only(command, keys, { at, refuse })
      checkCommand(command, key === 'commands', { at, refuse })
    }
  }
  return config as HookConfig
}

interface Place {
  readonly at: string
  readonly refuse: (reason: string) => never
}

function checkCommand(command: Fields, isNew: boolean, { at, refuse }: Place): void {
  if (typeof command.run !== 'function')
    refuse(`${at}.run is ${command.run === undefined ? 'missing' : 'not a function'}`)
  if (isNew && command.summary === undefined) refuse(`${at}.summary is missing`)
  for (const key of ['summary', 'like', 'arguments'])
    if (!['undefined', 'string'].includes(typeof command[key])) refuse(`${at}.${key} is not text`)
  if (command.like !== undefined && command.arguments !== undefined)
    refuse(`${at} has both like and arguments: the command that it is like has its own arguments`)
  checkOptions(command.options ?? {}, { at: `${at}.options`, refuse })
}

function checkOptions(options: unknown, { at, refuse }: Place): void {
  if (!isFields(options)) refuse(`${at} is not an object`)
  for (const [flags, doc] of Object.entries(options as Fields)) {
    if (!/^(-\w, )?--[a-z][\w-]*( (<[\w-]+>|\[[\w-]+\]))?$/.test(flags))
      refuse(`${at}: '${flags}' is not an option such as '--peers <n>'`)
    if (typeof doc !== 'string') refuse(`${at}: the description of '${flags}' is not text`)
  }
}

function only(fields: Fields, keys: readonly string[], { at, refuse }: Place): void {
  const unknown = Object.keys(fields).find(key => !keys.includes(key))
  if (unknown !== undefined) refuse(`${at} has '${unknown}', and can have ${keys.join(', ')}`)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
