/*
 * starve: a library to preload, which refuses the program one piece of memory:
 * that of the STARVE_AT'th call of malloc() and its like from the program's
 * own code, in it and in all that it forks.  What libraries ask for is theirs.
 *
 *	LD_PRELOAD=starve.so STARVE_AT=N STARVE_COUNT=FILE COMMAND...
 *
 * FILE has room for a number of four octets, in which the calls are counted.
 * It is compiled without the program's own rules, as one of libc's functions.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static uint32_t *count; /* shared; NULL: nothing is refused */
static uint32_t at;
static uintptr_t from, end; /* the program's code */

/* The program is the first of all that is loaded. */
static int
find_program(struct dl_phdr_info *info, size_t size, void *ctx)
{
	size_t i;

	(void)size;
	(void)ctx;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || (p->p_flags & PF_X) == 0)
			continue;
		from = info->dlpi_addr + p->p_vaddr;
		end = from + p->p_memsz;
	}
	return 1;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *file = getenv("STARVE_COUNT"), *n = getenv("STARVE_AT");
	void *shared;
	int fd;

	if (file == NULL || n == NULL)
		return;
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd == -1)
		return;
	shared = mmap(
	    NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED)
		return;
	dl_iterate_phdr(find_program, NULL);
	at = (uint32_t)strtoul(n, NULL, 10);
	count = shared;
}

static bool
refused(const void *caller)
{
	const uintptr_t pc = (uintptr_t)caller;

	if (count == NULL || pc < from || pc >= end ||
	    __atomic_add_fetch(count, 1, __ATOMIC_RELAXED) != at)
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	return refused(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return refused(__builtin_return_address(0)) ? NULL
						    : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return refused(__builtin_return_address(0)) ? NULL
						    : __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all) ||
	    refused(__builtin_return_address(0))) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(p, all);
}
