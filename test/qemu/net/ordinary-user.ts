// Runs as an unprivileged user, with wiring and settings as arguments. Prints what it has seen as JSON.
import { seenIn } from './user-scenario.ts'

const seen = await seenIn(JSON.parse(process.argv[2]!), JSON.parse(process.argv[3]!))
process.stdout.write(JSON.stringify(seen))
