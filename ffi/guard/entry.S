/*
 * The ELF entry point of dist/nspin, which ld.so jumps to when everything is
 * loaded: record, then go on to the runtime's own entry with every register as
 * it was (x86-64: rdx, aarch64: x0, hold a function for atexit).
 */
	.text
	.globl guard_entry
	.type guard_entry, %function
guard_entry:
#if defined(__x86_64__)
	pushfq /* ten words: the stack stays aligned for the call */
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	lea 80(%rsp), %rdi
	call guard_record
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	popfq
	jmp runtime_entry
#elif defined(__aarch64__)
	stp x0, x1, [sp, #-160]!
	stp x2, x3, [sp, #16]
	stp x4, x5, [sp, #32]
	stp x6, x7, [sp, #48]
	stp x8, x9, [sp, #64]
	stp x10, x11, [sp, #80]
	stp x12, x13, [sp, #96]
	stp x14, x15, [sp, #112]
	stp x17, x18, [sp, #128]
	str x30, [sp, #144]
	add x0, sp, #160
	bl guard_record
	ldr x30, [sp, #144]
	ldp x17, x18, [sp, #128]
	ldp x14, x15, [sp, #112]
	ldp x12, x13, [sp, #96]
	ldp x10, x11, [sp, #80]
	ldp x8, x9, [sp, #64]
	ldp x6, x7, [sp, #48]
	ldp x4, x5, [sp, #32]
	ldp x2, x3, [sp, #16]
	ldp x0, x1, [sp], #160
	ldr x16, =runtime_entry /* x16 is the linker's own scratch register */
	br x16
#endif
	.size guard_entry, . - guard_entry
	.section .note.GNU-stack, "", %progbits
