import type { AnswerSource } from '../types.ts'
import type { Answer } from '../wire/answer.ts'

/** An answer, its source, and how many seconds it has been kept. */
export interface Given {
  readonly answer: Answer
  readonly source: AnswerSource
  readonly age: number
}

/** Instead of an answer: nothing, or the question alone with TC over UDP. */
export type Withheld = 'nothing' | 'truncated'
