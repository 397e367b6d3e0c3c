export { type EngineOptions, engineFrom } from './engine.ts'
export { runHost } from './host.ts'
export { placedHere } from './lab.ts'
export { slurmValues } from './slurm/environment.ts'
