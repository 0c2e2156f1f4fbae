/*
 * library: symbols of a library that is loaded when it is first used.
 * Called by the one file that owns each such library, for each row of its
 * table of symbols.
 * It opens and closes none, and knows none by name.
 * dlsym(3). Ownership: the handle is the caller's.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

/*
 * Put the address of a symbol into a field, which is a pointer to a function
 * of its type; *missing becomes the name if there is none (else it stays), and
 * the field NULL.
 */
void library_symbol(
    void *handle, const char *name, void *field, const char **missing);

#endif
