import { basename, dirname } from 'node:path'

/**
 * The command that runs this program: `xc` from the PATH, `npx xc` in a checkout or in a project that depends on it.
 * `script` is the file that Node runs.
 */
export function ourName(script: string | undefined = process.argv[1]): 'xc' | 'npx xc' {
  const path = script ?? ''
  return basename(path) === 'xc.js' || dirname(path).endsWith('node_modules/.bin') ? 'npx xc' : 'xc'
}

/** Replaces `xc` in commands within a text by the command that works here: `xc stop` becomes `npx xc stop`. */
export function asTyped(text: string, name: string = ourName()): string {
  return text.replaceAll(/(?<!\bthe |\bnpx |[\w/.-])xc(?= (?:[a-z]|--))/g, name)
}
