import { printableLines } from '../base/index.ts'

/** Prints a message about a test on stderr. Runners have no way for that which they share. A guest may say some of it. */
export function say(text: string): void {
  process.stderr.write(`${printableLines(text)}\n`)
}

/** Prints it as the test's own: vitest's reports have it with the test. */
export function sayInTest(text: string): void {
  console.log(printableLines(text))
}
