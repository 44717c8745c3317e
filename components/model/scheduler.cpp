// A scheduler's attributes and what it is born with.
#include "components/model/scheduler.h"

#include "components/model/process_set.h"

namespace schedd::model {

const std::vector<AttributeSpec>& Scheduler::table() {
    static const std::vector<AttributeSpec> kTable{
        {.name = "precedence",
         .kind = AttributeKind::integer,
         .initial = "0",
         .minimum = -1000,
         .maximum = 1000,
         .doc = "Place in the stack; larger decides first. Equal ones: explicit members before handle_all, "
                "then the "
                "latest attached first."},
        {.name = "ejected",
         .kind = AttributeKind::text,
         .initial = "",
         .read_only = true,
         .doc = "Why the policy was put out of action; empty while it is in it."},
    };
    return kTable;
}

Scheduler::Scheduler(std::string name, const Environment& environment)
    : Part(Kind::scheduler, std::move(name), nullptr, table()) {
    adopt(std::make_unique<ProcessSet>(environment));
}

} // namespace schedd::model
