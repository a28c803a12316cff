// One observable value and a hook that re-renders only those who read what changed.
import { useSyncExternalStore } from "react";

export class Store<T extends object> {
  private value: T;
  private readonly listeners = new Set<() => void>();

  constructor(value: T) {
    this.value = value;
  }

  readonly get = (): T => this.value;

  readonly set = (patch: Partial<T>): void => {
    const keys = Object.keys(patch) as (keyof T)[];
    if (keys.every((key) => Object.is(this.value[key], patch[key]))) return;
    this.value = { ...this.value, ...patch };
    for (const listener of this.listeners) listener();
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

/** `pick` must answer the same object for the same state: pick fields, do not build new ones. */
export function useStore<T extends object, R>(store: Store<T>, pick: (value: T) => R): R {
  return useSyncExternalStore(store.subscribe, () => pick(store.get()));
}
