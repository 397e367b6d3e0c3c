import { Writer } from '../base/index.ts'
import { badValue } from './errors.ts'
import type { ValueType } from './values.ts'

/**
 * Data that nft attaches to objects for its own listings (libnftnl/udata.h): one byte for the type, one for the
 * length, then the value. The kernel ignores it.
 */
interface Note {
  readonly type: number
  readonly value: Uint8Array
}

const NFTNL_UDATA_SET_KEYBYTEORDER = 0
const NFTNL_UDATA_SET_DATABYTEORDER = 1
const NFTNL_UDATA_SET_MERGE_ELEMENTS = 2
const NFTNL_UDATA_SET_DATA_INTERVAL = 6
const NFTNL_UDATA_SET_COMMENT = 7
/** NFTNL_UDATA_{TABLE,CHAIN,RULE,OBJ,SET_ELEM}_COMMENT. */
const NFTNL_UDATA_COMMENT = 0

/** Stops at one that is truncated: other programs attach what they like. */
function notesIn(userData: Uint8Array): Note[] {
  const notes: Note[] = []
  for (let at = 0; at + 2 <= userData.length; at += 2 + userData[at + 1]!) {
    const end = at + 2 + userData[at + 1]!
    if (end > userData.length) break
    notes.push({ type: userData[at]!, value: userData.subarray(at + 2, end) })
  }
  return notes
}

const bytesOf = (notes: readonly Note[]): Uint8Array =>
  Uint8Array.from(notes.flatMap(({ type, value }) => [type, value.length, ...value]))

function textNote(type: number, text: string): Note {
  const value = new TextEncoder().encode(text)
  if (value.length > 127)
    throw badValue('comment', `a comment can have at most 127 bytes, not ${value.length}`)
  return { type, value: Uint8Array.of(...value, 0) }
}

const textOf = ({ value }: Note): string => new TextDecoder().decode(value).replace(/\0+$/, '')

/** The comment of a table, chain, rule, element or object. */
export function commentData(comment: string): Uint8Array {
  return bytesOf([textNote(NFTNL_UDATA_COMMENT, comment)])
}

/** What is attached to something: the comment, and the other notes unchanged. */
export interface Attached {
  readonly comment?: string | undefined
  /** Other notes than those that have a name here, unchanged. */
  readonly userData?: Uint8Array | undefined
}

export function attachedTo(
  userData: Uint8Array | undefined,
  comment = NFTNL_UDATA_COMMENT,
): { comment?: string; userData?: Uint8Array } {
  if (userData === undefined) return {}
  const notes = notesIn(userData)
  const said = notes.find(({ type }) => type === comment)
  const rest = bytesOf(notes.filter(note => note !== said))
  return {
    ...(said && { comment: textOf(said) }),
    ...(rest.length > 0 && { userData: rest }),
  }
}

export function commentOf(userData: Uint8Array): string | undefined {
  return attachedTo(userData).comment
}

/** The reverse of {@link attachedTo}; undefined when there is nothing to attach. */
export function attachment({ comment, userData }: Attached): { userData?: Uint8Array } {
  const own = comment === undefined ? [] : [textNote(NFTNL_UDATA_COMMENT, comment)]
  const all = bytesOf([...own, ...notesIn(userData ?? new Uint8Array())])
  return all.length > 0 ? { userData: all } : {}
}

/** What nft notes about a set. */
export interface SetNotes extends Attached {
  readonly autoMerge?: boolean
  /** The values of a map are ranges. */
  readonly ranges?: boolean
  /** Its keys are stored in network order. */
  readonly networkOrder?: boolean
}

export interface SetTypes {
  readonly key: ValueType<unknown>
  /** What a map leads to: the name of a kind of object has no byte order. */
  readonly data?: ValueType<unknown> | string | undefined
}

const bigEndian = 2
/** enum byteorder: host 1, big-endian 2; 0 for verdicts, concatenations and what is unknown here. */
const byteOrder = (type: ValueType<unknown> | 'verdict'): number =>
  type === 'verdict' || type.parts ? 0 : type.host ? 1 : bigEndian

const number = (type: number, value: number): Note => {
  const out = new Writer()
  out.u32(value)
  return { type, value: out.done() }
}

export function setData({ key, data }: SetTypes, notes: SetNotes = {}): Uint8Array {
  const { autoMerge, ranges = false, comment, userData } = notes
  return bytesOf([
    number(NFTNL_UDATA_SET_KEYBYTEORDER, byteOrder(key)),
    ...(typeof data === 'object' || data === 'verdict'
      ? [number(NFTNL_UDATA_SET_DATABYTEORDER, byteOrder(data))]
      : []),
    ...(autoMerge ? [number(NFTNL_UDATA_SET_MERGE_ELEMENTS, 1)] : []),
    ...(comment === undefined ? [] : [textNote(NFTNL_UDATA_SET_COMMENT, comment)]),
    ...(data ? [number(NFTNL_UDATA_SET_DATA_INTERVAL, ranges ? 1 : 0)] : []),
    ...notesIn(userData ?? new Uint8Array()),
  ])
}

/** What follows from the types, and so is not kept. */
const implied = [NFTNL_UDATA_SET_KEYBYTEORDER, NFTNL_UDATA_SET_DATABYTEORDER]

export function setNotes(all: Uint8Array | undefined): SetNotes {
  const { comment, userData } = attachedTo(all, NFTNL_UDATA_SET_COMMENT)
  const notes = notesIn(userData ?? new Uint8Array())
  const set = (wanted: number) => notes.some(({ type, value }) => type === wanted && value[0] !== 0)
  const order = notes.find(({ type }) => type === NFTNL_UDATA_SET_KEYBYTEORDER)
  const known = [...implied, NFTNL_UDATA_SET_MERGE_ELEMENTS, NFTNL_UDATA_SET_DATA_INTERVAL]
  const rest = bytesOf(notes.filter(({ type }) => !known.includes(type)))
  return {
    ...(comment !== undefined && { comment }),
    ...(set(NFTNL_UDATA_SET_MERGE_ELEMENTS) && { autoMerge: true }),
    ...(set(NFTNL_UDATA_SET_DATA_INTERVAL) && { ranges: true }),
    ...(order?.value[0] === bigEndian && { networkOrder: true }),
    ...(rest.length > 0 && { userData: rest }),
  }
}
