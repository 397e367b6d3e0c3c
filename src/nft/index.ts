export { masqueradeBatch } from './masquerade.ts'
