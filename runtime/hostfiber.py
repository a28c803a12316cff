from runtime.hostraw import linker
