export type { BridgePlan, BridgeSpec, TapSpec } from './bridge-plan.ts'
export { macOf, planBridges } from './bridge-plan.ts'
export { NetError } from './errors.ts'
