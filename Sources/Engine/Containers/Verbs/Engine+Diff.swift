internal import Sys

extension Engine {
    /// What a container changed in its image's files, volumes and the like left aside; sorted by path.
    package func changes(of name: String) throws(EngineError) -> [FileChange] {
        let record = try container(named: name)
        let upper = containers.upper(record.id)
        return try withRoot(of: record, .lower) { lower throws(EngineError) in
            let directory = try call("open", upper) { () throws(Errno) in try Directory.open(upper) }
            return try system { () throws(SystemFailure) in
                try ChangeWalk.changes(
                    upper: directory.raw, lower: lower, excluded: OwnMountPoints.paths,
                    marks: marks)
            }
        }
    }
}
