import { homedir } from 'node:os'
import { join } from 'node:path'

/** The directory in which set-up unpacks the packages for guests. */
export const fetchedRoot = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'xcluster/fetched/root',
)
