/* The launcher's entry point: what the kernel laid on the stack, to C. */
	.text
	.globl _start
	.type _start, %function
_start:
#if defined(__x86_64__)
	xor %ebp, %ebp
	mov %rsp, %rdi
	and $-16, %rsp
	call launcher_start
#elif defined(__aarch64__)
	mov x29, #0
	mov x30, #0
	mov x0, sp
	bl launcher_start
#endif
	.size _start, . - _start
	.section .note.GNU-stack, "", %progbits
