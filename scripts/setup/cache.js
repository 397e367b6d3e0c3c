// @ts-check
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The cache of this user, as `xc` finds it: a relative XDG_CACHE_HOME counts as not set (XDG Base Directory). */
export function defaultCacheDir() {
  const { XDG_CACHE_HOME = '' } = process.env
  return join(XDG_CACHE_HOME.startsWith('/') ? XDG_CACHE_HOME : join(homedir(), '.cache'), 'xcluster')
}
