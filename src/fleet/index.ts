export { engineFrom } from './engine.ts'
