import { basename, dirname } from 'node:path'

/**
 * How whoever runs this program calls it: `xc` where it is on their PATH, `npx xc` in a checkout or a project that
 * depends on it. `script` is what Node was given to run.
 */
export function ourName(script: string | undefined = process.argv[1]): 'xc' | 'npx xc' {
  const path = script ?? ''
  return basename(path) === 'xc.js' || dirname(path).endsWith('node_modules/.bin') ? 'npx xc' : 'xc'
}

/** A text that tells what to type, in the words that do it here: `xc stop` becomes `npx xc stop`. */
export function asTyped(text: string, name: string = ourName()): string {
  return text.replaceAll(/(?<!\bthe |\bnpx |[\w/.-])xc(?= (?:[a-z]|--))/g, name)
}
