export { type Masquerade, masqueradeBatch } from './masquerade.ts'
