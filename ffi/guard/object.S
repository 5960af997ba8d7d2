/* Byte for byte: dist/nspin.so, and dist/aside.so. OBJECT, ASIDE: their paths, from build/guard.ts. */
	.section .rodata.object, "a", %progbits
	.balign 4096 /* arm64's code finds its constants by pages */
	.globl object, object_end
object:
	.incbin OBJECT
object_end:
	.balign 4096
	.globl aside_image
aside_image:
	.incbin ASIDE
	.section .note.GNU-stack, "", %progbits
