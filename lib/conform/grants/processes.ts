/**
 * Processes and open files of a grant case: fork, exit, close.
 *
 * @module
 */

import type { EvtchnFile } from "../../drivers/evtchn/open.ts";
import type { GntallocFile } from "../../drivers/gntalloc/open.ts";
import type { GntdevFile } from "../../drivers/gntdev/open.ts";
import type { Pipe } from "../../drivers/pipe.ts";
import type { ByteQueue } from "../../drivers/socket.ts";
import { exitMmap } from "../../linux/mm/exit.ts";
import { type FileObject, fput, getFile } from "../../linux/mm/file.ts";
import { forkMm } from "../../linux/mm/fork.ts";
import type { MmStruct } from "../../linux/mm/mm_struct.ts";
import { BadInput } from "../format.ts";
import type { GrantWorld } from "../grant_world.ts";

/** A process: its memory, and the names of the files it has open. */
export interface CaseProcess {
  readonly name: string;
  readonly mm: MmStruct;
  readonly files: Set<string>;
}

/** An open file description. */
export interface OpenFile {
  readonly file: FileObject;
  readonly gntdev?: GntdevFile;
  readonly gntalloc?: GntallocFile;
  readonly evtchn?: EvtchnFile;
  readonly pipe?: Pipe;
  readonly socket?: ByteQueue;
}

/** `fork`: the child inherits mappings and files. */
export function forkProcess(world: GrantWorld, parent: CaseProcess, name: string): void {
  const mm = forkMm(parent.mm);
  for (const file of parent.files) getFile(world.files.get(file)!.file);
  world.processes.set(name, { name, mm, files: new Set(parent.files) });
}

/** The memory goes first, then the files. @cite linux 6.1 kernel/exit.c do_exit */
export function exitProcess(world: GrantWorld, process: CaseProcess): void {
  world.processes.delete(process.name);
  exitMmap(process.mm);
  for (const file of process.files) fput(world.files.get(file)!.file);
}

/** `open`: the descriptor is this process's. */
export function addFile(world: GrantWorld, process: CaseProcess, name: string, file: OpenFile): void {
  world.files.set(name, file);
  process.files.add(name);
}

/** `close`. @throws {BadInput} if the process has no such file */
export function closeFile(world: GrantWorld, process: CaseProcess, name: string, where: string): void {
  if (!process.files.delete(name)) throw new BadInput(where, `${process.name} has no open file "${name}"`);
  fput(world.files.get(name)!.file);
}
