# SPDX-License-Identifier: GPL-2.0-only
# fish: what may follow `ebb-exporter`.
complete -c ebb-exporter -f
complete -c ebb-exporter -l listen -x -d 'ADDRESS:PORT'
complete -c ebb-exporter -l config -r -F -d 'For listen'
complete -c ebb-exporter -l socket -r -F -d 'Where ebbd listens'
complete -c ebb-exporter -l tls-cert -r -F -d 'PEM: HTTPS'
complete -c ebb-exporter -l tls-key -r -F -d 'PEM: HTTPS'
complete -c ebb-exporter -l users -r -F -d 'Lines USER:PASSWORD'
complete -c ebb-exporter -l max-containers -x -d 'Series for the N largest'
complete -c ebb-exporter -l verbose
complete -c ebb-exporter -l help
complete -c ebb-exporter -l version
