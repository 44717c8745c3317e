// The manager's methods, one function each: they read the arguments, ask the backend, write the answer.
#pragma once

#include "dbus/backend.h"
#include "dbus/message.h"
#include "dbus/object.h"

namespace schedd::dbus::verbs {

// What changes something; the reading of the arguments is apart from the carrying out.
Change create(Backend& backend, Reader& in);
Change remove(Backend& backend, Reader& in);
Change write(Backend& backend, Reader& in);
Change link(Backend& backend, Reader& in);
Change unlink(Backend& backend, Reader& in);
Change apply(Backend& backend, Reader& in);
Change attach(Backend& backend, Reader& in);
Change detach(Backend& backend, Reader& in);
Change hold(Backend& backend, Reader& in);
Change reload(Backend& backend, Reader& in);
Change drain_node(Backend& backend, Reader& in);
Change migrate(Backend& backend, Reader& in);
Change expel(Backend& backend, Reader& in);
Change bring(Backend& backend, Reader& in);
Change block_guests(Backend& backend, Reader& in);
Change checkpoint(Backend& backend, Reader& in);
Change revive(Backend& backend, Reader& in);

// What only looks.
Status read(Backend& backend, Reader& in, Writer& out);
Status export_all(Backend& backend, Reader& in, Writer& out);
Status describe(Backend& backend, Reader& in, Writer& out);
Status status(Backend& backend, Reader& in, Writer& out);
Status types(Backend& backend, Reader& in, Writer& out);
Status explain(Backend& backend, Reader& in, Writer& out);
Status verify(Backend& backend, Reader& in, Writer& out);
Status topology(Backend& backend, Reader& in, Writer& out);
Status list_nodes(Backend& backend, Reader& in, Writer& out);
Status place_task(Backend& backend, Reader& in, Writer& out);
Status doctor(Backend& backend, Reader& in, Writer& out);
Status dump(Backend& backend, Reader& in, Writer& out);

} // namespace schedd::dbus::verbs
