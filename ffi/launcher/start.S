/*
 * The launcher's entry point: what the kernel laid on the stack, to C, on a
 * stack of 256 KiB of its own, since RLIMIT_STACK may leave too little on that
 * one. mmap(0, 256 KiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
 * -1, 0); where it fails, C runs on the kernel's.
 */
	.text
	.globl _start
	.type _start, %function
_start:
#if defined(__x86_64__)
	xor %ebp, %ebp
	mov %rsp, %rbx
	xor %edi, %edi
	mov $0x40000, %esi
	push $3
	pop %rdx
	push $0x22
	pop %r10
	push $-1
	pop %r8
	xor %r9d, %r9d
	push $9 /* __NR_mmap */
	pop %rax
	syscall
	test %rax, %rax
	js 1f
	lea 0x40000(%rax), %rsp
1:	and $-16, %rsp
	mov %rbx, %rdi
	call launcher_start
#elif defined(__aarch64__)
	mov x29, #0
	mov x30, #0
	mov x19, sp
	mov x0, #0
	mov x1, #0x40000
	mov x2, #3
	mov x3, #0x22
	mov x4, #-1
	mov x5, #0
	mov x8, #222 /* __NR_mmap */
	svc #0
	tbnz x0, #63, 1f
	add sp, x0, #0x40, lsl #12
1:	mov x0, x19
	bl launcher_start
#endif
	.size _start, . - _start
	.section .note.GNU-stack, "", %progbits
