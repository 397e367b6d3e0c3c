import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where set-up unpacks the packages that go into guests. */
export const fetchedRoot = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'xcluster/fetched/root',
)
