import type { Expression } from '../wire/index.ts'

type Kind = Exclude<Expression['kind'], 'other'>
export type Of<K extends Kind> = Extract<Expression, { kind: K }>
/** How each kind of expression is printed. */
export type Writers = { readonly [K in Kind]?: (expression: Of<K>) => string }

export const hex = (value: number, digits = 1) => `0x${value.toString(16).padStart(digits, '0')}`
export const joined = (...parts: readonly (string | false | undefined)[]) => parts.filter(Boolean).join(' ')
