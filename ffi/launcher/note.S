/*
 * Which nspin this is of: a note, elf(5), for `readelf -n` and `nspin inspect`.
 * Its kind is that of systemd's "Package Metadata for ELF Files", which
 * coredumpctl(1) shows too. No argument is asked for it: those are the program's.
 */
	.section .note.package, "a", %note
	.balign 4
	.long name_end - name, text_end - text
	.long 0xcafe1a7e /* FDO_PACKAGING_METADATA */
name:
	.asciz "FDO"
name_end:
	.balign 4
text:
	.asciz "{\"type\":\"launcher\",\"name\":\"nspin\",\"version\":\"" NSPIN_VERSION "\"}"
text_end:
	.balign 4
	.section .note.GNU-stack, "", %progbits
