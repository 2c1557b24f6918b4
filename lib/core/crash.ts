/**
 * Modelled crashes: the machine that we model stops. Thrown, caught by the world that runs the machine, reported as
 * an outcome. Never used for misuse of our API.
 *
 * @module
 */

/** The modelled Linux kernel hit `BUG_ON` or an oops: its machine does not go on. */
export class KernelBug extends Error {
  override readonly name = "KernelBug";
  /**
   * @param where kernel function that died, verbatim: `gup_pte_range`
   * @param what the condition or fault: `VM_BUG_ON(!pfn_valid(pte_pfn(pte)))`
   * @param why the state that led there, in a sentence without full stop
   */
  constructor(readonly where: string, readonly what: string, readonly why: string) {
    super(`kernel BUG in ${where}: ${what}: ${why}`);
  }
}

/** The modelled hypervisor killed a domain. */
export class DomainCrash extends Error {
  override readonly name = "DomainCrash";
  /**
   * @param domid the domain that is gone
   * @param where hypervisor function that decided, verbatim
   * @param why the state that led there
   */
  constructor(readonly domid: number, readonly where: string, readonly why: string) {
    super(`domain ${domid} crashed in ${where}: ${why}`);
  }
}
