import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of a program in the first directory that has it. `searchPath`: the value of PATH. */
export function findProgram(name: string, searchPath: string): string | undefined {
  const paths = searchPath.split(delimiter).filter(Boolean)
  return paths.map(directory => join(directory, name)).find(isExecutable)
}

/** True for a file that this process may execute. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
